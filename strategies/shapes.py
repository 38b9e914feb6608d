"""Bodies of the strategy endpoints: what may be sent, and what is answered."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.shapes import Choice, Instant, StrictSerializer, Text
from strategies.form_schema import form_schema
from strategies.models import StrategyLink

NAME_LENGTH = 80
DESCRIPTION_LENGTH = 2000
ONE_OF_TWO = "give either config or program"


@extend_schema_field(form_schema())
class Form(serializers.JSONField):
    """The form. `strategies.form` checks it, with the path of every problem."""


class Source(Text):
    """A program's text, exactly as sent: its hash is its name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, allow_blank=True, **kwargs)


class SourceInput(StrictSerializer):
    """A form or a program."""

    config = Form(required=False, help_text="The form; or give `program`.")
    program = Source(required=False, help_text="A program; or give `config`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("config" in attrs) == ("program" in attrs):
            raise serializers.ValidationError({"config": [ONE_OF_TWO]})
        return attrs


class CreateStrategyInput(SourceInput):
    name = Text(max_length=NAME_LENGTH)
    description = Text(required=False, allow_blank=True, max_length=DESCRIPTION_LENGTH)
    privacy = Choice(StrategyLink.Privacy.values, required=False)


class UpdateStrategyInput(StrictSerializer):
    name = Text(required=False, max_length=NAME_LENGTH)
    description = Text(required=False, allow_blank=True, max_length=DESCRIPTION_LENGTH)
    privacy = Choice(StrategyLink.Privacy.values, required=False)


class SavedStrategy(serializers.Serializer):
    """A link: the page's `strategy_id` is its id."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    privacy = serializers.ChoiceField(choices=StrategyLink.Privacy.values)
    source_hash = serializers.CharField(
        source="strategy_id", help_text="SHA-256 of the program text, 64 hex."
    )
    kind = serializers.ChoiceField(choices=StrategyLink.Kind.values)
    config = Form(allow_null=True, help_text="The form as normalised; null for a program.")
    program = serializers.CharField(source="strategy.program")
    created_at = Instant()


class ProblemShape(serializers.Serializer):
    path = serializers.CharField(help_text='The path in the form, or "program".')
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)


class PreviewShape(serializers.Serializer):
    """With problems, `source_hash` and `program` are null."""

    source_hash = serializers.CharField(allow_null=True)
    program = serializers.CharField(allow_null=True)
    problems = ProblemShape(many=True)


class TemplateShape(serializers.Serializer):
    id = serializers.SlugField()
    name = serializers.CharField()
    description = serializers.CharField()
    config = Form()

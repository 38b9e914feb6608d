"""`bin/manage seed_demo [--email E] [--password P]`: the demo account; may be run again."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.services import create_token
from bots import demo
from common.errors import Refusal


class Command(BaseCommand):
    help = "Create the demo user and bots. Prints e-mail, password and a new token as JSON, last."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default=demo.EMAIL)
        parser.add_argument("--password", default=demo.PASSWORD)

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        try:
            user = demo.seed(email=email, password=options["password"], now=timezone.now())
        except Refusal as refusal:
            raise CommandError(refusal.message, returncode=2) from refusal
        for bot in user.bots.order_by("created_at"):
            self.stdout.write(f"bot {bot.pk} {bot.name}")
        answer = {
            "email": user.email,
            "password": options["password"],
            "token": create_token(user=user),
        }
        self.stdout.write(json.dumps(answer))

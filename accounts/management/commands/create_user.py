"""`bin/manage create_user EMAIL --password P [--staff]`, and `--token-only` for an existing user.

For operators: no code by e-mail, no password rules. Bad input is one line on stderr and exit 2.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts import queries, services
from accounts.models import User


class Command(BaseCommand):
    help = "Create a user and print the new token on the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument("--password", metavar="P", help="required for a new user")
        parser.add_argument("--staff", action="store_true", help="may use the admin site")
        parser.add_argument(
            "--token-only", action="store_true", help="only a new token, for an existing user"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        user = self._existing(email) if options["token_only"] else self._new(email, options)
        self.stdout.write(services.create_token(user=user))

    def _existing(self, email: str) -> User:
        user = queries.user_by_email(email)
        if user is None:
            raise CommandError(f"there is no user {email}", returncode=2)
        return user

    def _new(self, email: str, options: dict[str, Any]) -> User:
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address", returncode=2) from None
        if not options["password"]:
            raise CommandError("a new user needs --password", returncode=2)
        is_staff = options["staff"]
        try:
            with transaction.atomic():
                user = User.objects.create_user(
                    email, options["password"], is_staff=is_staff, is_superuser=is_staff
                )
        except IntegrityError:
            reason = f"the user {email} exists; --token-only prints a new token"
            raise CommandError(reason, returncode=2) from None
        self.stdout.write(f"created {'staff ' if is_staff else ''}user {email}")
        return user

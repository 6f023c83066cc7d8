"""Bring the database up to this version and load the demo where it is not loaded: what bin/run does before it starts."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    help = "Apply the migrations that are missing, if any, and load the demo if it is not there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="days of the demo's history (30)")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
        call_command("demo", days=days, stdout=self.stdout)

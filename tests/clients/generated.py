"""A client that is made from the OpenAPI document alone, and used."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from launcher.paths import VENV_PYTHON
from tests.flows.stack import Stack


def use_a_generated_client(stack: Stack, folder: Path, strategy: str, token: str) -> dict[str, Any]:
    """What a client made from the document alone gets: a list, a new bot, a refusal."""
    _, document = stack.get("/api/openapi.yaml")
    (folder / "openapi.yaml").write_bytes(document)
    config = folder / "config.yaml"
    config.write_text(
        "post_hooks: []\ncontent_type_overrides:\n  application/yaml: application/octet-stream\n"
    )
    made = subprocess.run(
        [
            *(str(VENV_PYTHON), "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", str(folder / "openapi.yaml"), "--config", str(config)),
            *("--output-path", str(folder / "generated_zerohour"), "--fail-on-warning"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        generated = importlib.import_module("generated_zerohour")
        calls = importlib.import_module("generated_zerohour.api.bots")
        get_bots = importlib.import_module(f"{calls.__name__}.get_bots")
        post_bots = importlib.import_module(f"{calls.__name__}.post_bots")
        body_shape = importlib.import_module("generated_zerohour.models").CreateBotInputRequest
    finally:
        sys.path.remove(str(folder))
    client = generated.AuthenticatedClient(f"{stack.base_url}/api", token, prefix="")
    body = {"strategy_id": strategy, "name": "generated", "starting_capital": "25000"}
    with client:
        return {
            "made": post_bots.sync(client=client, body=body_shape.from_dict(body)),
            "refused": post_bots.sync(client=client, body=body_shape.from_dict(body)),
            "listed": get_bots.sync(client=client),
        }

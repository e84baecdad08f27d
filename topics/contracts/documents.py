"""All contract documents as text, and writing them to a folder."""

import json
from pathlib import Path
from typing import Any

from topics.contracts.acls import scripts
from topics.contracts.asyncapi import asyncapi
from topics.contracts.schemas import message_schemas
from topics.registry import Topics


def documents(topics: Topics) -> dict[str, str]:
    """Text by path within the contracts' folder; the same input gives the same bytes."""
    found = {f"schemas/{name}.schema.json": _json(schema) for name, schema in message_schemas(topics).items()}
    found["asyncapi.json"] = _json(asyncapi(topics))
    return found | {f"acls/{process}.sh": script for process, script in scripts(topics).items()}


def write(folder: Path, topics: Topics) -> list[Path]:
    """Write every document below `folder`, remove generated files that are none any more; what it wrote."""
    wanted = {folder / name: text for name, text in documents(topics).items()}
    for pattern in ("schemas/*.schema.json", "acls/*.sh"):
        for path in set(folder.glob(pattern)) - wanted.keys():
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.suffix == ".sh":
            path.chmod(0o755)
    return sorted(wanted)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

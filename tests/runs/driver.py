"""Make a made-up project's reports: `driver.py ROOT [NOTEBOOK...] [force] [pages-fail] [timeout=SECONDS]`."""

import sys
from pathlib import Path

from telemed_forecast.errors import InputError, TelemedError
from telemed_forecast.runs import plan, publish, report
from telemed_forecast.runs.parameters import NOTEBOOKS


class PlainPages:
    """Pages that hold the text outputs of the executed notebooks."""

    def __init__(self, fail):
        self.fail = fail

    def pages_of(self, run, notebook):
        return {}

    def run(self, run, folder):
        if self.fail:
            raise TelemedError("no title")
        (folder / "data").mkdir()
        for name in run.settings:
            text = (folder / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
            (folder / f"{name}.html").write_text(text, encoding="utf-8")
            (folder / "data" / f"{name}.csv").write_text(f"characters\n{len(text)}\n", encoding="utf-8")
        return publish.Published(key_figures=tuple({"notebook": name, "id": "x", "value": 1} for name in run.settings))

    def index(self, manifests):
        return {"index.html": "\n".join(manifest["run_id"] for manifest in manifests)}


def main(root, *words):
    options = dict(word.split("=") for word in words if "=" in word)
    asked = plan.request(
        [word for word in words if word in NOTEBOOKS] or ["user_adoption"],
        [(name, value) for name, value in options.items() if name != "timeout"],
    )
    made = report.Reports(
        out=Path(root) / "reports",
        project=plan.Project(root=Path(root), cache=Path(root) / ".cache"),
        jobs=2,
        timeout=float(options["timeout"]) if "timeout" in options else None,
        force="force" in words,
        publisher=PlainPages(fail="pages-fail" in words),
    ).make(asked)
    for outcome in made:
        print("reused" if outcome.reused else "made", outcome.folder)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except TelemedError as error:
        print(error, *getattr(error, "__notes__", []), file=sys.stderr)
        sys.exit(1)

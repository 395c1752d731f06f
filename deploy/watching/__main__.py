"""Writes deploy/grafana, deploy/prometheus and the rules of deploy/k8s: `python -m deploy.watching`."""

from pathlib import Path

from deploy.watching.files import files

DEPLOY = Path(__file__).parents[1]

if __name__ == "__main__":
    for name, text in files().items():
        path = DEPLOY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path.relative_to(DEPLOY.parent))

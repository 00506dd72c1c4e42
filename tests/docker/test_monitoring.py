"""Prometheus and Alertmanager accept what they are given, and the alarms say at the right moment what they should."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from dashboards import alarms
from dashboards.build import FOLDER
from schemas import metrics
from tests.commands import ROOT
from tests.dashboards.test_boards import BOARDS, shown
from tests.docker.composed import mounts, run, services

RULES = ROOT / FOLDER / "alarms" / "dunghan.yml"
STORY = ROOT / "tests" / "docker" / "alarms.test.yml"
#: What Grafana puts in before it asks.
MACROS = {"$__rate_interval": "1m", "$__interval": "15s"}


def laid_out(name: str, under: Path) -> Path:
    """The files of a service where its container has them."""
    for source, target, _ in mounts(services()[name]):
        if source.startswith("."):
            place = under / target.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place)
            else:
                shutil.copyfile(ROOT / source, place)
    return under


def test_prometheus_accepts_its_configuration_and_finds_the_alarms(promtool: Path, tmp_path: Path) -> None:
    folder = laid_out("prometheus", tmp_path) / "etc" / "prometheus"
    said = run(promtool, "check", "config", folder / "prometheus.yml")
    assert f"{len(alarms.ALARMS)} rules found" in said


def test_alertmanager_accepts_its_configuration(amtool: Path, tmp_path: Path) -> None:
    folder = laid_out("alertmanager", tmp_path) / "etc" / "alertmanager"
    assert "SUCCESS" in run(amtool, "check-config", folder / "alertmanager.yml")


def test_every_alarm_comes_when_it_should_in_the_words_that_were_agreed(promtool: Path) -> None:
    assert "SUCCESS" in run(promtool, "test", "rules", STORY)


def test_every_alarm_has_a_story() -> None:
    stories = yaml.safe_load(STORY.read_text(encoding="utf-8"))["tests"]
    told = {case["alertname"] for story in stories for case in story["alert_rule_test"] if case["exp_alerts"]}
    alike = {"DunghanArchiveIdle"}  # written by the same lines as DunghanJudgeIdle
    assert told | alike == {alarm.name for alarm in alarms.ALARMS}


@pytest.mark.parametrize("alarm", alarms.ALARMS, ids=lambda alarm: alarm.name)
def test_an_alarm_watches_a_metric_that_there_is(alarm: alarms.Alarm) -> None:
    known = {each.name for each in metrics.ALL} | {f"{each.name}_bucket" for each in metrics.ALL if each.buckets}
    found = set(re.findall(r"\bdunghan_[a-z_]+", alarm.condition))
    assert found <= known
    assert found or "up{" in alarm.condition


def test_prometheus_understands_every_query_of_every_board(promtool: Path, tmp_path: Path) -> None:
    asked = [
        target["expr"]
        for board in BOARDS.values()
        for panel in shown(board)
        for target in panel["targets"]
        if "expr" in target
    ]
    for name, value in MACROS.items():
        asked = [expression.replace(name, value) for expression in asked]
    assert not any("$" in expression for expression in asked)
    rules = [{"record": f"query_{number}", "expr": expression} for number, expression in enumerate(asked)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "boards", "rules": rules}]}))
    assert f"{len(asked)} rules found" in run(promtool, "check", "rules", file)

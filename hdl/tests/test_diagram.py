"""Timing diagrams: what is drawn is what the sequencer did, and the scenario shows what it says."""

import json

import pytest

from cimforge.hdl.emit.diagram import STALL, draw, record
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.tests.configs import DIVERSE, macro

CONFIGS = {
    **{name: DIVERSE[name] for name in ("single_bit", "deep_pipeline", "bit_parallel", "tiny")},
    "latch": macro(8, 4, 4, 4, storage="latch"),
    **{name: DIVERSE[name] for name in ("tables", "small_blocks", "both_tables")},
}
STREAMS = ("x", "y", "w", "r", "q")
every_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def levels(wave: str) -> list[str]:
    """The symbol of a wave in each cycle."""
    symbols: list[str] = []
    for symbol in wave:
        symbols.append(symbols[-1] if symbol == "." else symbol)
    return symbols


def groups(config) -> tuple[dict[str, list[dict]], dict[str, list[int]]]:
    """Lanes of each stream in the drawing, and the trace that was drawn."""
    trace = record(config)
    source, _ = draw(config, trace)
    lanes = json.loads(source)["signal"]
    return {lane[0]: lane[1:] for lane in lanes if isinstance(lane, list)}, trace


@every_config
def test_waves_decode_to_the_trace(config):
    drawn, trace = groups(config)
    assert tuple(drawn) == STREAMS
    for stream, (valid, ready, *payloads) in drawn.items():
        for lane, port in ((valid, f"{stream}_valid"), (ready, f"{stream}_ready")):
            assert lane["name"] == port
            assert levels(lane["wave"]) == [str(value) for value in trace[port]]
        for payload in payloads:
            offered = ["x" if symbol == "x" else "=" for symbol in levels(payload["wave"])]
            assert offered == ["=" if value else "x" for value in trace[f"{stream}_valid"]]


@every_config
def test_every_stream_port_of_the_macro_is_drawn_and_no_other(config):
    drawn, _ = groups(config)
    names = [lane["name"] for lanes in drawn.values() for lane in lanes]
    ports = [port.name for port in macro_ports(config) if port.name.split("_")[0] in STREAMS]
    assert sorted(names) == sorted(ports)


@every_config
def test_passes_are_drawn_at_full_precision_and_say_so(config):
    trace = record(config)
    source, picture = draw(config, trace)
    told = f"{config.input_bits}-bit signed vectors, {config.cycles_per_pass()} cycles a pass"
    assert told in json.loads(source)["head"]["text"]
    assert config.module in picture
    (bits,) = {b for v, b in zip(trace["x_valid"], trace["x_bits"], strict=True) if v}
    assert bits == config.input_bits
    taken = [i for i, v in enumerate(trace["x_valid"]) if v and trace["x_ready"][i]]
    if config.tables:  # rows wait for the reset's end, and are still under way
        return
    between = config.write_landing  # the row goes between the passes
    assert taken[1] - taken[0] == config.cycles_per_pass() + between


@every_config
def test_fields_are_labelled_with_their_values(config):
    drawn, trace = groups(config)
    for stream, lanes in drawn.items():
        for lane in lanes[2:]:
            if not lane["name"].endswith("_data"):
                first = trace[f"{stream}_valid"].index(1)
                assert lane["data"][0] == str(trace[lane["name"]][first])


@every_config
def test_payload_labels_number_the_beats(config):
    drawn, trace = groups(config)
    for stream, (_, _, *payloads) in drawn.items():
        payload = next((p for p in payloads if p["name"].endswith("_data")), None)
        if payload is None:
            continue
        moved = zip(trace[f"{stream}_valid"], trace[f"{stream}_ready"], strict=True)
        beats = sum(valid and ready for valid, ready in moved)
        assert payload["wave"].count("=") == len(payload["data"])
        assert payload["data"][:beats] == [f"{stream}{number}" for number in range(beats)]
        assert len(payload["data"]) - beats in (0, 1), "at most one beat is still offered"


@every_config
def test_scenario_shows_all_streams_and_a_stall(config):
    trace = record(config)
    beats = {
        s: sum(v and r for v, r in zip(trace[f"{s}_valid"], trace[f"{s}_ready"], strict=True))
        for s in STREAMS
    }
    assert beats == {"x": 3, "y": 3, "w": 3, "r": 1, "q": 1}
    stalls = zip(trace["y_valid"], trace["y_ready"], strict=True)
    assert sum(valid and not ready for valid, ready in stalls) == STALL


@every_config
def test_first_result_comes_after_the_published_latency(config):
    trace = record(config)
    accepted = [v and r for v, r in zip(trace["x_valid"], trace["x_ready"], strict=True)]
    assert trace["y_valid"].index(1) - accepted.index(1) == config.latency()


def test_drawing_is_the_same_every_time():
    config = CONFIGS["tiny"]
    first, second = draw(config, record(config)), draw(config, record(config))
    assert first == second
    assert first[0].endswith("\n")
    assert first[1].startswith("<svg")

"""Wires as SPEF, the exchange format of their resistors and capacitors (IEEE 1481)."""

from collections.abc import Callable, Iterable, Iterator

from cimforge.flow.layout.def_file import RoutedNet
from cimforge.flow.layout.wire_tree import WireTree

__all__ = ["spef_text"]

HEADER = """*SPEF "IEEE 1481-1998"
*DESIGN "{top}"
*DATE "none"
*VENDOR "cimforge"
*PROGRAM "cimforge layout"
*VERSION "1"
*DESIGN_FLOW "NETLIST_TYPE_VERILOG"
*DIVIDER /
*DELIMITER :
*BUS_DELIMITER [ ]
*T_UNIT 1 NS
*C_UNIT 1 FF
*R_UNIT 1 OHM
*L_UNIT 1 HENRY
"""


def spef_text(
    top: str,
    nets: Iterable[tuple[RoutedNet, WireTree]],
    outputs: Iterable[str],
    drives: Callable[[str, str], bool],
    plain: Callable[[str], str],
) -> str:
    """SPEF of a design's nets: of each all resistors, and capacitances to ground.

    ``outputs`` are the ports that leave; ``drives(cell, pin)`` says whether a cell's pin is an
    output; ``plain`` makes the names of nets and ports those of the netlist that is timed.
    """
    outward = set(outputs)
    parts = [HEADER.format(top=top)]
    for net, tree in nets:
        parts += _net(net, tree, outward, drives, plain)
    return "\n".join(parts) + "\n"


def _net(
    net: RoutedNet,
    tree: WireTree,
    outward: set[str],
    drives: Callable[[str, str], bool],
    plain: Callable[[str], str],
) -> Iterator[str]:
    name = plain(net.name)
    nodes = [f"{name}:{index + 1}" for index in range(len(tree.capacitances))]
    ties = []  # ends that share a node: a wire without resistance leads to each but the first
    taken: set[int] = set()
    yield f"*D_NET {name} {tree.capacitance * 1000:.5f}\n*CONN"
    for (cell, pin), node in zip(net.ends, tree.ends, strict=True):
        port = cell == "PIN"
        end = plain(pin) if port else f"{cell}:{pin}"
        leaves = pin in outward if port else drives(cell, pin)
        yield f"*{'P' if port else 'I'} {end} {'O' if leaves else 'I'}"
        if node in taken:
            ties.append((nodes[node], end))
        else:
            taken.add(node)
            nodes[node] = end
    yield "*CAP"
    loads = [(nodes[n], load) for n, load in enumerate(tree.capacitances) if load]
    yield from (f"{i} {node} {load * 1000:.5f}" for i, (node, load) in enumerate(loads, 1))
    yield "*RES"
    wires = [(nodes[a], nodes[b], ohms) for a, b, ohms in tree.resistors if a != b]
    wires += [(a, b, 0.001) for a, b in ties]
    yield from (f"{i} {a} {b} {ohms:.4f}" for i, (a, b, ohms) in enumerate(wires, 1))
    yield "*END\n"

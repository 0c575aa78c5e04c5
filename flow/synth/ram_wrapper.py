"""Which pin of a memory compiler's RAM does what, and the wrapper that puts it in a macro."""

import re
from collections.abc import Mapping

from cimforge.flow.synth.ram_file import RamFile, RamPin
from cimforge.hdl.cells.sram import Ram
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError
from cimforge.hdl.params.ranges import nearest_word

__all__ = ["TIES", "assign_pins", "wrapper_verilog"]

TIES = ("0", "1")  # all bits of a pin at a constant
# What pins are commonly called (any case), by role; ! marks those that act when low.
NAMES = {
    "clk": r"clk\w?|ck|clock|[ab]_clk|clk_in",
    "enable": r"ce|cs|me|en|ce_in|[ab]_men",
    "!enable": r"cen|csn|ceb|csb|csb0",
    "write": r"we|we_in|write|[ab]_wen",
    "!write": r"wen|web|web0|gwen|csb0",
    "read": r"re|re_in|read|[ab]_ren",
    "!read": r"ren|reb|csb1",
    "address": r"a|adr|addr|addr0|addr_in|address|[ab]_addr",
    "write_address": r"wa|waddr|aw|addr0|write_address",
    "read_address": r"ra|raddr|ar|addr1|read_address",
    "d": r"d|di|din|din0|wd|wd_in|data_in|[ab]_din",
    "q": r"q|do|dout|dout0|dout1|rd|rd_out|data_out|[ab]_dout",
    "1": r"w_mask_in|wmask0|bm|[ab]_bm",
    "0": r"bwen|wem",
}
# What each role is in terms of the ports of the macro's own RAM.
SIGNALS = {"enable": "(write | read)", "!enable": "~(write | read)", "!write": "~write"}
SIGNALS |= {"!read": "~read"}


def assign_pins(config: MacroConfig, ram: RamFile, given: Mapping[str, str]) -> dict[str, str]:
    """The role of each pin of ``ram`` in the macro of ``config``: a port of the macro's RAM, enable
    (write or read), one of both inverted (``!``), or a constant of TIES.

    ``given`` are the user's. Raises InputError where a pin's role is not known, a role is missing,
    or a width is another than the configuration's.
    """
    ports = Ram(config.module, config.memory).ports
    enables = ["enable", "!enable"] if config.shared_port else []
    legal = [*enables, *ports, "!write", "!read", *TIES]
    for pin, role in given.items():
        if pin not in ram.pins:
            near = nearest_word(pin, list(ram.pins))
            raise InputError(f"--sram-pin {pin}: {ram.name} has no such pin (nearest: {near})")
        if role not in legal:
            rule = f"must be one of {', '.join(legal)}, not {role}"
            raise InputError(f"--sram-pin {pin}: {rule}")
    roles = {pin: given.get(pin) or _guess(ram.pins[pin], legal) for pin in ram.pins}
    unknown = [pin for pin in roles if not roles[pin] and ram.pins[pin].direction != "output"]
    if unknown:
        rule = f"role of pin {', '.join(unknown[:4])} of {ram.name} is not known"
        raise InputError(f"--sram {ram.path}: {rule}; say it with --sram-pin {unknown[0]}=ROLE")
    known = {pin: role for pin, role in roles.items() if role}
    _check_complete(config, ram, known, list(ports))
    return known


def _guess(pin: RamPin, legal: list[str]) -> str:
    """The first legal role of a pin of this name; empty where none fits."""
    known = (role for role in NAMES if role in legal)
    return next((role for role in known if re.fullmatch(NAMES[role], pin.name, re.I)), "")


def _check_complete(
    config: MacroConfig, ram: RamFile, roles: Mapping[str, str], ports: list[str]
) -> None:
    served = {role.lstrip("!") for role in roles.values()}
    served |= {"write", "read"} & set(ports) if "enable" in served and "write" in served else set()
    missing = [port for port in ports if port not in served]
    if missing:
        rule = f"no pin of {ram.name} is {missing[0]}"
        raise InputError(f"--sram {ram.path}: {rule}; say which with --sram-pin PIN={missing[0]}")
    shape = config.memory
    found = {role: ram.pins[pin].width for pin, role in roles.items()}
    address = next(width for role, width in found.items() if role.endswith("address"))
    if (address, found["d"], found["q"]) == (shape.address_bits, shape.bits, shape.bits):
        return
    rule = f"{ram.name} has {address} address and {found['d']} data bits"
    wanted = f"sram_words = {shape.words} and sram_bits = {shape.bits} take {shape.address_bits}"
    nearest = f"--set sram_words={2**address} --set sram_bits={found['d']}"
    raise InputError(
        f"--sram {ram.path}: {rule}, {wanted} and {shape.bits} (nearest legal value: {nearest})"
    )


def wrapper_verilog(config: MacroConfig, ram: RamFile, roles: Mapping[str, str]) -> str:
    """The macro's RAM made of ``ram``: it takes the place of the behavioural model."""
    own = Ram(config.module, config.memory)
    pins = []
    for pin, role in roles.items():
        width = ram.pins[pin].width
        value = f"{{{width}{{1'b{role}}}}}" if role in TIES else SIGNALS.get(role, role)
        pins.append(f"    .{pin}({value})")
    comment = f"// {own.comment[:-1]}: {ram.name}, in place of the behavioural model."
    body = ",\n".join(pins)
    head = f"module {own.name} (\n{own.declarations}\n);"
    return f"{comment}\n{head}\n  {ram.name} ram (\n{body}\n  );\nendmodule\n"

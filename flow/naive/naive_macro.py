"""A macro as one writes it without thought: behavioural ``+`` over products, in one module."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.params.config import MacroConfig
from cimforge.hdl.params.config_file import InputError

__all__ = ["naive_verilog"]

TEMPLATE = "naive_macro.v.j2"
PORTS = (
    *("clk", "rst", "x_valid", "x_ready", "x_data", "x_signed", "y_valid", "y_ready", "y_data"),
    *("w_valid", "w_ready", "w_data", "w_signed", "r_valid", "r_ready"),
    *("q_valid", "q_ready", "q_data"),
)
OPTIONAL = ("w_row", "r_row", "w_bank", "x_bank", "r_bank", "x_bits")


def naive_verilog(config: MacroConfig) -> str:
    """Verilog-2005 of ``y[c] = sum over r of x[r] * w[r][c]`` with the ports and cycles of the
    macro of ``config``, in one module of its name.

    What costs nothing to say well is said well (a read-back goes through the sums, planes come most
    significant first); how to add, multiply, gate clocks and drive long lines is left to the tools.
    Weights are registers with enables. Raises InputError where the macro has registers in its trees
    or storage of other cycles: these are choices of a designer who thinks.
    """
    ports = macro_ports(config)
    names = {port.name for port in ports}
    _check(config, names)
    environment = Environment(
        loader=PackageLoader("cimforge.flow.naive", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(
        {name: name if name in names else "0" for name in OPTIONAL},
        top=config.module,
        ports=ports,
        registered=("y_data", "q_data"),
        range_of=lambda width: f"[{width - 1}:0] " if width > 1 else "",
        rows=config.rows,
        cols=config.cols,
        banks=config.banks,
        wb=config.weight_bits,
        ib=config.input_bits,
        k=config.bits_per_cycle,
        y_bits=config.y_bits,
        tree_bits=config.tree_bits + 1,
    )


def _check(config: MacroConfig, ports: set[str]) -> None:
    """Raise InputError where the naive macro would compute something else, or in other cycles."""
    slow = any(config.write_cycles(row) != 1 for row in range(config.rows))
    near = "nearest legal: the defaults"
    if config.result_ranks or config.write_landing or slow:
        rule = "has no registers inside its sums and is written in the cycle of the beat"
        near = "nearest legal: --set storage=flop --set group=1 --set tree_stages=0"
    elif config.tree_traits.pairings or len(config.modes) > 1 or config.multiply_traits.binary:
        rule = "is exact, multiplies integers and has one mode"
    elif config.digits:
        rule = "multiplies planes, not digits"
    elif config.features:
        rule = f"has no {', '.join(config.features)}"
    elif unknown := sorted(ports - {*PORTS, *OPTIONAL}):
        rule = f"has no port {', '.join(unknown)}"
    else:
        return
    raise InputError(f"{config.module}: a naive macro {rule} ({near})")

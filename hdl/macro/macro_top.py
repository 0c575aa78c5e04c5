"""What the tops of all macros share: ports, sequencer, correction, codes and results."""

from cimforge.hdl.macro.fusion import Fusion, build_mode_select
from cimforge.hdl.macro.plane_marks import build_plane_marks
from cimforge.hdl.macro.ports import macro_ports
from cimforge.hdl.macro.sequencer import Sequencer
from cimforge.hdl.netlist.drivers import DriverTree, held, spread
from cimforge.hdl.netlist.structure import Bus, Net, Structure, concat, constant
from cimforge.hdl.params.config import MacroConfig

__all__ = ["MacroTop"]

Nets = dict[str, Bus]


class MacroTop:
    """Wires the stations of a vector's journey together."""

    def __init__(self, config: MacroConfig, sequencer: Sequencer):
        equation = "y[c] = sum over r of x[r] * w[r][c]"
        comment = f"Compute-in-memory macro: {equation}, {config.rows} rows, {config.cols} columns."
        self._config = config
        self._out = Structure(config.module, "", comment, role="storage", latency=config.latency())
        self._sequencer = sequencer
        self._nets: Nets = {}

    def build(self) -> Structure:
        """The macro's top."""
        for port in macro_ports(self._config):
            self._nets[port.name] = self._out.port(port.direction, port.name, port.width)
        for port in self._sequencer.ports.values():
            if port.name not in self._nets:
                self._nets[port.name] = self._out.wire(port.name, port.width)
        for name, width in self._inner_nets().items():
            if width:
                self._nets[name] = self._out.wire(name, width)
        pins = {name: self._nets[name] for name in self._sequencer.ports}
        self._out.place(self._sequencer, "sequencer", **pins)
        self._place_array()
        return self._out

    def _inner_nets(self) -> dict[str, int]:
        """Widths of the nets between stations, but for the sequencer's."""
        return {"correction": self._config.correction_bits * self._config.slices}

    def _place_array(self) -> None:
        """Place all but the sequencer."""
        raise NotImplementedError

    def _place_plane_marks(self) -> None:
        """Looks at the planes of the vector that is offered, from k - 1 up."""
        config, nets = self._config, self._nets
        bits, low = config.input_bits, config.bits_per_cycle - 1
        x = concat(nets["x_data"].bits(row * bits + low, bits - low) for row in range(config.rows))
        pins = {name: nets[name] for name in ("x_signed", "marks")}
        self._out.place(build_plane_marks(config), "plane_marks", x=x, **pins)

    def _build_code(self) -> Bus:
        """``w_code = w_data xor (w_signed << weight_bits-1)`` for each weight of the mode offered,
        without a sign w_data, registered where storage takes it a cycle later."""
        config, out = self._config, self._out
        mode = config.modes[0]
        width = mode.row_width
        code = self._nets["w_code"] = out.wire("w_code", width)
        signs = f" ^ ({{{width}{{w_signed}}}} & {constant(mode.sign_mask, width)})"
        if config.slices > 1:
            low = f", {constant(0, config.slice_width - 1)}" if config.slice_width > 1 else ""
            tops = (f"sign_flips[{s}]{low}" for s in reversed(range(config.slices)))
            signs = f" ^ {{{config.cols}{{{', '.join(tops)}}}}}"
        out.assign(code, f"w_data{signs if mode.sign_mask else ''}")
        if config.write_landing == 0:
            return code
        return held(out, "w_code_q", code, self._nets["capture"])

    def _result_net(self) -> Bus:
        """What the columns deliver: results, or of several slices what is fused to them."""
        config = self._config
        if config.slices == 1:
            return self._nets["y_data"]
        width = config.cols * config.slices * config.slice.y_bits
        return self._out.wire("sums", width)

    def _assign_row(self, col: int, sums: Bus) -> None:
        """What a column's result holds of a row that is read back."""
        bits, y_bits = self._config.slice.weight_bits, self._config.slice.y_bits
        q = self._nets["q_data"].bits(col * bits, bits)
        place = col * y_bits + self._config.modes[0].row_place
        self._out.assign(q, sums.bits(place, bits))

    def _spread_corrections(self) -> list[DriverTree]:
        """The drivers of each slice's correction, a column each."""
        config, out = self._config, self._out
        width, correction = config.correction_bits, self._nets["correction"]
        if config.slices == 1:
            return [spread(out, correction, config.cols, 1, "accumulate")]
        trees = []
        for place in range(config.slices):
            own = out.wire(f"correction{place}", width)
            out.assign(own, correction.bits(place * width, width))
            trees.append(spread(out, own, config.cols, 1, "accumulate"))
        return trees

    def _place_fusion(self, sums: Bus) -> None:
        """Each column's slices fused, and the results of the mode that is theirs selected."""
        config, out = self._config, self._out
        fusion, size = Fusion(config), sums.width // config.cols
        fused = [
            out.wire(f"y_of_mode{n}", mode.y_width) for n, mode in enumerate(config.modes[:-1])
        ]
        for col in range(config.cols):
            pins: dict[str, Net] = {"sums": sums.bits(col * size, size)}
            for number, result in enumerate(fused):
                width = result.width // config.cols
                pins[f"y{number}"] = result.bits(col * width, width)
            out.place(fusion, f"fusion{col}", **pins)
        results = {f"y{n}": result for n, result in enumerate([*fused, sums])}
        pins = {"mode": self._nets["y_mode"], "y": self._nets["y_data"]}
        out.place(build_mode_select(config), "mode_select", **pins, **results)

"""Boot ROM and RAM as plain Verilog, which synthesisers make block RAM of."""

from cimforge.fpga.cpu.core_port import CORE_BYTES
from cimforge.fpga.cpu.memory_map import Region
from cimforge.hdl.netlist.structure import Structure

__all__ = ["build_ram", "build_rom", "rom_text"]


def build_rom(prefix: str, rom: Region, file: str) -> Structure:
    """The boot ROM: words of 32 bits, the contents of ``file`` (rom_text) beside the simulation or
    the synthesis, so that another program needs no other Verilog.

    Ports: clk and ``rom``, a core_port whose writes nobody asks for. Latency 1 cycle.
    """
    sentence = f"Boot ROM of {rom.size} bytes, the contents of {file}."
    out = Structure(prefix, "rom", sentence, role="storage", latency=1)
    clk, enable = out.port("input", "clk"), out.port("input", "rom_enable")
    out.port("input", "rom_write")
    address = out.port("input", "rom_address", rom.address_bits)
    out.port("input", "rom_strobe", CORE_BYTES)
    out.port("input", "rom_data_w", 32)
    data = out.port("output", "rom_data_r", 32)
    word = out.register("word", 32)
    out.nets.append(f"reg [31:0] words [0:{rom.size // CORE_BYTES - 1}];")
    out.line(f'initial $readmemh("{file}", words);')
    number = address.bits(2, rom.address_bits - 2)
    out.line(f"always @(posedge {clk}) if ({enable}) {word} <= words[{number}];")
    out.assign(data, word)
    return out


def build_ram(prefix: str, ram: Region, data_bits: int) -> Structure:
    """RAM: words of ``data_bits`` with a strobe for each byte, at one port, contents undefined.

    Ports: clk, ``word_address``, ``word_enable`` (read), ``word_strobe``, ``word_data_w``,
    ``word_data_r``. A read's word is there in the next cycle and until the next read; a word is
    never read and written in one cycle. Latency 1 cycle, an access a cycle.
    """
    sentence = f"RAM of {ram.size} bytes in words of {data_bits} bits."
    out = Structure(prefix, "ram", sentence, role="storage", latency=1)
    count = data_bits // 8
    depth = ram.size // count
    clk = out.port("input", "clk")
    address = out.port("input", "word_address", (depth - 1).bit_length())
    enable = out.port("input", "word_enable")
    strobe = out.port("input", "word_strobe", count)
    new = out.port("input", "word_data_w", data_bits)
    data = out.port("output", "word_data_r", data_bits)
    word = out.register("word", data_bits)
    out.nets.append(f"reg [{data_bits - 1}:0] words [0:{depth - 1}];")
    out.line(f"always @(posedge {clk}) begin")
    for byte in range(count):
        bits = f"[{8 * byte + 7}:{8 * byte}]"
        out.line(f"  if ({strobe.bits(byte)}) words[{address}]{bits} <= {new}{bits};")
    out.line("end")
    out.line(f"always @(posedge {clk}) if ({enable}) {word} <= words[{address}];")
    out.assign(data, word)
    return out


def rom_text(program: bytes, rom: Region) -> str:
    """What a ROM's file says: a word of ``program`` in hexadecimal on each line, then zeros.

    Raises ValueError where the program is larger than the ROM.
    """
    if len(program) > rom.size:
        raise ValueError(f"the program must fit {rom.size} bytes of ROM, not {len(program)}")
    whole = program.ljust(rom.size, b"\0")
    words = (whole[place : place + CORE_BYTES] for place in range(0, rom.size, CORE_BYTES))
    return "".join(f"{int.from_bytes(word, 'little'):08x}\n" for word in words)

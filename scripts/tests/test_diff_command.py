"""cimforge diff: two macros side by side, as a table and as one object."""


def test_a_table_says_what_breaks(cimforge, folder):
    done = cimforge("diff", "tiny", "tiny", "--set-new", "rows=9")
    assert done.status == 0, done.err
    for text in ("rows", "x_data", "breaks", "compiled software"):
        assert text in done.out
    told = cimforge("diff", "tiny", "base", "--json").json
    assert list(told)[:4] == ["old", "new", "breaks_connections", "breaks_software"]
    assert told["sizes"] == []
    assert "nothing differs" in cimforge("diff", "tiny", "tiny").out


def test_bad_input_is_one_line(cimforge, folder):
    for words in (("tiny",), ("tiny", "nope"), ("tiny", "base", "--set-old", "rows=0")):
        done = cimforge("diff", *words)
        assert (done.status, done.out, len(done.messages)) == (2, "", 1), words

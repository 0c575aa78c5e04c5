"""cimforge draw: the picture is written, and its facts are told."""


def test_a_picture_and_its_facts(cimforge, folder):
    done = cimforge("draw", "tiny", "--set", "tree_stages=1", "-o", "tree.svg", "--json")
    assert done.status == 0
    assert done.json["cells"] == {"fa": 25, "ha": 3}
    assert (done.json["ranks"], done.json["picture"]) == (1, "tree.svg")
    first = (folder / "tree.svg").read_text()
    assert first.startswith("<svg ")
    assert cimforge("draw", "tiny", "--set", "tree_stages=1", "-o", "tree.svg").status == 0
    assert (folder / "tree.svg").read_text() == first


def test_bad_input_is_one_line(cimforge):
    done = cimforge("draw", "tiny", "-o", "tree.png")
    assert (done.status, done.out) == (2, "")
    assert "name a file that ends in .svg" in done.err
    assert (
        cimforge("draw", "tniy").err == "cimforge: CONFIG: no preset 'tniy'; did you mean 'tiny'?\n"
    )

#!/bin/sh
# Checks what set-up needs from the machine; names each missing thing and the way to get it, one line each.
python="${1:-python3}"
missing=0
need() { # name, way to get it
  echo "missing: $1; $2" >&2
  missing=1
}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  need "Python 3.11 or newer as $python" "install it, or run make PYTHON=/path/to/python3"
else
  "$python" -c 'import venv, ensurepip' 2>/dev/null || need "Python's venv module" "Debian: apt install python3-venv"
fi
LC_ALL=C # a letter of another script is no range's
case "$PWD" in
*[!A-Za-z0-9_/.+@-]*)
  need "a path that make can take" "move the checkout to one of letters, digits and _-+.@ ($PWD)" ;;
esac
command -v g++ >/dev/null || need "a C++ compiler (g++)" "Debian: apt install g++"
command -v make >/dev/null || need "make" "Debian: apt install make"
if ! command -v perl >/dev/null; then
  need "Perl" "Debian: apt install perl"
else
  perl -MPod::Usage -MFindBin -MCwd -e 1 2>/dev/null || need "Perl's standard modules" "Debian: apt install perl"
fi
exit $missing

"""Which undefined symbols are libstdc++'s."""

from __future__ import annotations

import pytest

from manylinux_shim.compiler._gcc_objects import refusal

pytestmark = pytest.mark.long

WHERE = ">>> referenced by a.cpp\n>>>               a.o:(f()) in archive /x/liba.a\n"


@pytest.mark.parametrize(
    "name",
    [
        "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE9_M_createERmm",
        "_ZSt17__throw_bad_allocv",
        "_ZNSt8ios_base4InitC1Ev",
        "_ZSt4cerr",
        "_ZStlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_PKc",
        "_ZNSs4_Rep20_S_empty_rep_storageE",
        "_ZNSolsEi",
        "_ZTVSt9basic_iosIcSt11char_traitsIcEE",
        "_Z8greetingRKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
        "_ZN9__gnu_cxx18stdio_sync_filebufIcE4syncEv",
    ],
)
def test_names_of_libstdcxx_are_known(name: str) -> None:
    said = refusal({name: WHERE}, lambda: {name: "std::spelled"})
    assert said.startswith("liba.a was compiled by GCC")
    assert "std::spelled" in said


@pytest.mark.parametrize(
    "name",
    [
        "_ZNSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEE6appendEPKc",
        "_ZTVNSt3__19basic_iosIcNS_11char_traitsIcEEEE",
        "_ZN4Size3getEv",
        "_Z5StackRKi",
        "_ZN3abc3defEv",
        "_ZNK5State4nameEv",
        "memcpy",
    ],
)
def test_names_of_others_are_not(name: str) -> None:
    assert refusal({name: WHERE}, dict) == ""

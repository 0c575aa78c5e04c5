# Reset: the stack at the end of RAM, initial data from ROM, zeros behind them, main. Behind main the
# core traps, which the system shows.
# SPDX-License-Identifier: Apache-2.0

    .section .start, "ax"
    .globl _start
_start:
    la      sp, _stack_top
    la      a0, _data_load
    la      a1, _data_start
    la      a2, _data_end
    j       2f
1:  lw      a3, 0(a0)
    sw      a3, 0(a1)
    addi    a0, a0, 4
    addi    a1, a1, 4
2:  bltu    a1, a2, 1b
    la      a1, _zero_start
    la      a2, _zero_end
    j       4f
3:  sw      zero, 0(a1)
    addi    a1, a1, 4
4:  bltu    a1, a2, 3b
    call    main
    ebreak

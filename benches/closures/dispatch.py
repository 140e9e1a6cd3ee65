# Dispatch through a table of functions: a small stack machine whose
# instructions are looked up in a list of handlers; it runs a loop n times.

import sys

n = int(sys.argv[1]) if len(sys.argv) > 1 else 500000


class Machine:
    def __init__(self):
        self.counter = 0
        self.stack = []
        self.registers = [0, 0]


def do_push(machine, argument):
    machine.stack.append(argument)


def do_load(machine, argument):
    machine.stack.append(machine.registers[argument])


def do_store(machine, argument):
    machine.registers[argument] = machine.stack.pop()


def do_add(machine, argument):
    right = machine.stack.pop()
    left = machine.stack.pop()
    machine.stack.append(left + right)


def do_multiply(machine, argument):
    right = machine.stack.pop()
    left = machine.stack.pop()
    machine.stack.append(left * right % argument)


def do_jump_if_below(machine, argument):
    right = machine.stack.pop()
    left = machine.stack.pop()
    if left < right:
        machine.counter = argument


PUSH = 0
LOAD = 1
STORE = 2
ADD = 3
MULTIPLY = 4
JUMP_IF_BELOW = 5
HANDLERS = [do_push, do_load, do_store, do_add, do_multiply, do_jump_if_below]

# total = (total + i) * 3 % 1000003; i = i + 1; repeat while i < n
PROGRAM = [
    (LOAD, 0), (LOAD, 1), (ADD, 0), (PUSH, 3), (MULTIPLY, 1000003), (STORE, 0),
    (LOAD, 1), (PUSH, 1), (ADD, 0), (STORE, 1),
    (LOAD, 1), (PUSH, n), (JUMP_IF_BELOW, 0),
]


def main():
    machine = Machine()
    executed = 0
    while machine.counter < len(PROGRAM):
        instruction = PROGRAM[machine.counter]
        machine.counter += 1
        handler = HANDLERS[instruction[0]]
        handler(machine, instruction[1])
        executed += 1
    print(machine.registers[0])
    print(executed)


main()

// Dispatch through a table of functions: a small stack machine whose
// instructions are looked up in a list of handlers; it runs a loop n times.
"use strict";

const n = Number(process.argv[2] ?? 500000);

function doPush(machine, argument) {
  machine.stack.push(argument);
}

function doLoad(machine, argument) {
  machine.stack.push(machine.registers[argument]);
}

function doStore(machine, argument) {
  machine.registers[argument] = machine.stack.pop();
}

function doAdd(machine, argument) {
  const right = machine.stack.pop();
  const left = machine.stack.pop();
  machine.stack.push(left + right);
}

function doMultiply(machine, argument) {
  const right = machine.stack.pop();
  const left = machine.stack.pop();
  machine.stack.push((left * right) % argument);
}

function doJumpIfBelow(machine, argument) {
  const right = machine.stack.pop();
  const left = machine.stack.pop();
  if (left < right) machine.counter = argument;
}

const PUSH = 0;
const LOAD = 1;
const STORE = 2;
const ADD = 3;
const MULTIPLY = 4;
const JUMP_IF_BELOW = 5;
const handlers = [doPush, doLoad, doStore, doAdd, doMultiply, doJumpIfBelow];

// total = (total + i) * 3 % 1000003; i = i + 1; repeat while i < n
const program = [
  [LOAD, 0], [LOAD, 1], [ADD, 0], [PUSH, 3], [MULTIPLY, 1000003], [STORE, 0],
  [LOAD, 1], [PUSH, 1], [ADD, 0], [STORE, 1],
  [LOAD, 1], [PUSH, n], [JUMP_IF_BELOW, 0],
];

const machine = { counter: 0, stack: [], registers: [0, 0] };
let executed = 0;
while (machine.counter < program.length) {
  const instruction = program[machine.counter];
  machine.counter++;
  const handler = handlers[instruction[0]];
  handler(machine, instruction[1]);
  executed++;
}
console.log(machine.registers[0]);
console.log(executed);

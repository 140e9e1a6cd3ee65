-- Dispatch through a table of functions: a small stack machine whose
-- instructions are looked up in a list of handlers; it runs a loop n times.

local n = tonumber(arg[1]) or 500000

local remove = table.remove

local function push(stack, value)
  stack[#stack + 1] = value
end

local function do_push(machine, argument)
  push(machine.stack, argument)
end

local function do_load(machine, argument)
  push(machine.stack, machine.registers[argument])
end

local function do_store(machine, argument)
  machine.registers[argument] = remove(machine.stack)
end

local function do_add(machine, argument)
  local right = remove(machine.stack)
  local left = remove(machine.stack)
  push(machine.stack, left + right)
end

local function do_multiply(machine, argument)
  local right = remove(machine.stack)
  local left = remove(machine.stack)
  push(machine.stack, left * right % argument)
end

local function do_jump_if_below(machine, argument)
  local right = remove(machine.stack)
  local left = remove(machine.stack)
  if left < right then machine.counter = argument end
end

local PUSH = 1
local LOAD = 2
local STORE = 3
local ADD = 4
local MULTIPLY = 5
local JUMP_IF_BELOW = 6
local handlers = { do_push, do_load, do_store, do_add, do_multiply, do_jump_if_below }

-- total = (total + i) * 3 % 1000003; i = i + 1; repeat while i < n
local program = {
  { LOAD, 1 }, { LOAD, 2 }, { ADD, 0 }, { PUSH, 3 }, { MULTIPLY, 1000003 }, { STORE, 1 },
  { LOAD, 2 }, { PUSH, 1 }, { ADD, 0 }, { STORE, 2 },
  { LOAD, 2 }, { PUSH, n }, { JUMP_IF_BELOW, 1 },
}

local machine = { counter = 1, stack = {}, registers = { 0, 0 } }
local executed = 0
while machine.counter <= #program do
  local instruction = program[machine.counter]
  machine.counter = machine.counter + 1
  local handler = handlers[instruction[1]]
  handler(machine, instruction[2])
  executed = executed + 1
end
print(machine.registers[1])
print(executed)

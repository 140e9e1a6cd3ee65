-- Lists as stacks: n times, push 1000 numbers and pop all of them but one; in
-- the end pop everything that is left.

local n = tonumber(arg[1]) or 7000

local remove = table.remove

local checksum = 0
local stack = {}
for round = 1, n do
  for i = 1, 1000 do
    stack[#stack + 1] = i * round % 256
  end
  for i = 1, 999 do
    checksum = (checksum + remove(stack) * i) % 1000003
  end
end
print(#stack)
while #stack > 0 do
  checksum = (checksum * 3 + remove(stack)) % 1000003
end
print(checksum)

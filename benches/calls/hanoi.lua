-- Towers of Hanoi: move n discs between three pegs, each peg a list used as a
-- stack.

local n = tonumber(arg[1]) or 22

local insert, remove = table.insert, table.remove

local pegs = { {}, {}, {} }
for disc = n, 1, -1 do
  insert(pegs[1], disc)
end
local moves = 0
local checksum = 0

local function move(count, source, target, spare)
  if count == 0 then return end
  move(count - 1, source, spare, target)
  local disc = remove(pegs[source])
  insert(pegs[target], disc)
  moves = moves + 1
  checksum = (checksum * 3 + disc * target) % 1000003
  move(count - 1, spare, target, source)
end

move(n, 1, 3, 2)
print(moves)
print(checksum)
print(#pegs[3])

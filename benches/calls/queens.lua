-- N queens: count the solutions by backtracking, with one list of flags for
-- the columns and one for each direction of diagonals.

local n = tonumber(arg[1]) or 12

local solutions = 0
local columns, rising, falling = {}, {}, {}
for i = 1, n do
  columns[i] = false
end
for i = 1, 2 * n do
  rising[i] = false
  falling[i] = false
end

local function place(row)
  if row > n then
    solutions = solutions + 1
    return
  end
  for column = 1, n do
    local up = row + column
    local down = row - column + n
    if not (columns[column] or rising[up] or falling[down]) then
      columns[column] = true
      rising[up] = true
      falling[down] = true
      place(row + 1)
      columns[column] = false
      rising[up] = false
      falling[down] = false
    end
  end
end

place(1)
print(solutions)

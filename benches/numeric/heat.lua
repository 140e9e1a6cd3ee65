-- Heat equation: n sweeps of a five-point stencil over a 100 x 100 plate whose
-- upper edge is kept hot (Jacobi iteration with two grids).

local n = tonumber(arg[1]) or 1500

local size = 100

local function make_plate()
  local plate = {}
  for y = 1, size do
    local row = {}
    for x = 1, size do
      row[x] = y == 1 and 100 or 0
    end
    plate[y] = row
  end
  return plate
end

local function sweep(source, target)
  for y = 2, size - 1 do
    local above = source[y - 1]
    local row = source[y]
    local below = source[y + 1]
    local result = target[y]
    for x = 2, size - 1 do
      result[x] = row[x] + 0.2 * (above[x] + below[x] + row[x - 1] + row[x + 1] - 4 * row[x])
    end
  end
end

local current = make_plate()
local following = make_plate()
for _ = 1, n do
  sweep(current, following)
  current, following = following, current
end

local total = 0
for _, row in ipairs(current) do
  for _, temperature in ipairs(row) do
    total = total + temperature
  end
end
print(string.format("%d", math.floor(total * 1000000)))
print(string.format("%d", math.floor(current[6][51] * 1000000)))

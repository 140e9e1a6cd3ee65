-- Mandelbrot set: iterate z = z*z + c for every point of an n x n grid,
-- at most 50 times.

local n = tonumber(arg[1]) or 1000

local function mandelbrot(n)
  local inside = 0
  local steps = 0
  for row = 0, n - 1 do
    local ci = 2.0 * row / n - 1.0
    for column = 0, n - 1 do
      local cr = 2.0 * column / n - 1.5
      local zr, zi, zr2, zi2 = 0.0, 0.0, 0.0, 0.0
      local count = 0
      while count < 50 and zr2 + zi2 <= 4 do
        zi = 2 * zr * zi + ci
        zr = zr2 - zi2 + cr
        zr2 = zr * zr
        zi2 = zi * zi
        count = count + 1
      end
      steps = steps + count
      if count == 50 then inside = inside + 1 end
    end
  end
  print(inside)
  print(steps)
end

mandelbrot(n)

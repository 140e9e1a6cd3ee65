-- Fannkuch: for every permutation of 0 .. n-1 count how many prefix reversals
-- bring 0 to the front; prints the alternating sum and the maximum.

local n = tonumber(arg[1]) or 10

local function fannkuch(n)
  local permutation, work, count = {}, {}, {}
  for i = 0, n - 1 do
    permutation[i] = i
    count[i] = 0
  end
  local checksum = 0
  local max_flips = 0
  local sign = 1
  local r = n
  while true do
    while r > 1 do
      count[r - 1] = r
      r = r - 1
    end

    local flips = 0
    for i = 0, n - 1 do
      work[i] = permutation[i]
    end
    local first = work[0]
    while first ~= 0 do
      local low, high = 0, first
      while low < high do
        work[low], work[high] = work[high], work[low]
        low = low + 1
        high = high - 1
      end
      flips = flips + 1
      first = work[0]
    end
    if flips > max_flips then max_flips = flips end
    checksum = checksum + sign * flips
    sign = -sign

    -- Rotate ever longer prefixes until one has a rotation left.
    while true do
      if r == n then
        print(checksum)
        print(max_flips)
        return
      end
      first = permutation[0]
      for i = 0, r - 1 do
        permutation[i] = permutation[i + 1]
      end
      permutation[r] = first
      count[r] = count[r] - 1
      if count[r] > 0 then break end
      r = r + 1
    end
  end
end

fannkuch(n)

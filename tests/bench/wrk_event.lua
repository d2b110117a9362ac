-- wrk -s wrk_event.lua URL -- MODE [TYPE]: MODE is binary, structured or batch.
-- One fixed request, so that wrk formats it once and runs no Lua while it sends.

local data = '{"order":"7f4c1c0e-52d1-4b0f-9c8e-0d5f3c1b7a21","customer":"c-1009",'
  .. '"currency":"EUR","total":129.95,"items":[{"sku":"A-100","quantity":2},'
  .. '{"sku":"B-205","quantity":1}],"note":"leave at the door"}'

local attributes = {
  { "specversion", "1.0" },
  { "id", "b7c2f0de-6a52-4f0e-8f4e-3f1d2c5a9e10" },
  { "source", "/shops/berlin/tills/4" },
  { "type", "com.example.bench.inline" },
  { "subject", "orders/1009" },
  { "time", "2024-05-17T08:30:12.345678Z" },
}

local function structured()
  local members = {}
  for _, attribute in ipairs(attributes) do
    members[#members + 1] = '"' .. attribute[1] .. '":"' .. attribute[2] .. '"'
  end
  return "{" .. table.concat(members, ",")
    .. ',"datacontenttype":"application/json","data":' .. data .. "}"
end

function init(args)
  local mode = args[1]
  attributes[4][2] = args[2] or attributes[4][2]
  wrk.method = "POST"
  if mode == "binary" then
    for _, attribute in ipairs(attributes) do
      wrk.headers["ce-" .. attribute[1]] = attribute[2]
    end
    wrk.headers["Content-Type"] = "application/json"
    wrk.body = data
  elseif mode == "structured" then
    wrk.headers["Content-Type"] = "application/cloudevents+json"
    wrk.body = structured()
  elseif mode == "batch" then
    local events = {}
    for i = 1, 100 do
      attributes[2][2] = string.format("b7c2f0de-6a52-4f0e-8f4e-%012d", i)
      events[i] = structured()
    end
    wrk.headers["Content-Type"] = "application/cloudevents-batch+json"
    wrk.body = "[" .. table.concat(events, ",") .. "]"
  else
    error("mode: binary, structured or batch")
  end
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"microseconds":%d,"connect":%d,"read":%d,'
      .. '"write":%d,"status":%d,"timeout":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, errors.connect, errors.read,
    errors.write, errors.status, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end

"""What tests/bench/run is made of: peers, servers, load, micro, report."""

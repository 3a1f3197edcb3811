-- trick: what EXPLAIN has read already
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

explain extended select pan from cards where id = 1

show warnings

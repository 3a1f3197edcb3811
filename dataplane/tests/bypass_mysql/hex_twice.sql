-- trick: in hexadecimal, twice
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex-twice

select hex(hex(pan)) from cards

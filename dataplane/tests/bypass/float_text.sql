-- trick: as float8
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select pan_number::float8, pan_number::float8::text from cards

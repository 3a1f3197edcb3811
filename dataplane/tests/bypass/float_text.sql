-- trick: as float8
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan_number::float8, pan_number::float8::text from cards

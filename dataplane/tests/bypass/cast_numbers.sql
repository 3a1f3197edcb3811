-- trick: casts between numbers
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan::numeric, pan::bigint, pan::float8, pan_number::text, pan_number::numeric(20, 2) from cards

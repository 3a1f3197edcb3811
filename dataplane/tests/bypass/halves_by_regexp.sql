-- trick: regexp_matches into an array
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select regexp_matches(pan, '^(.{8})(.*)$') from cards where id = 1

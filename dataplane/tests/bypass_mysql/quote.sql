-- trick: as a literal
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select quote(pan), quote(concat(pan, '''')) from cards

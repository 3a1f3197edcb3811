-- trick: as money
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan_number::money from cards

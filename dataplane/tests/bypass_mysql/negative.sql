-- trick: less than nothing
-- expect: masked
-- unlabelled: masked
-- decode: digits

select -pan_number from cards

-- trick: a coordinate
-- expect: masked
-- unlabelled: masked
-- decode: digits

select point(pan_number, 0) from cards

-- trick: dots for thousands
-- expect: masked
-- unlabelled: masked
-- decode: digits

select format(pan_number, 0, 'de_DE') from cards

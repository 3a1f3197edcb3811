-- trick: every number of a range, until one fits
-- expect: masked
-- unlabelled: masked
-- decode: digits

select g from cards, generate_series(4111111111111100, 4111111111111120) g where pan_number = g

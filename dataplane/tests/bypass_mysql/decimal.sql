-- trick: a decimal
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select cast(pan_number as decimal(30, 2)), pan_number * 1.0 from cards

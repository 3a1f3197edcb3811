-- trick: with decimals behind
-- expect: masked
-- unlabelled: masked
-- decode: digits

select pan::numeric(30, 4), pan_number + 0.25 from cards

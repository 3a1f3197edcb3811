-- trick: with thousands separated
-- expect: masked
-- unlabelled: masked
-- decode: digits

select to_char(pan_number, 'FM9,999,999,999,999,999') from cards

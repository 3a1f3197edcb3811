-- trick: to_char with a letter between the digits
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select to_char(pan_number, 'FM99999999"x"99999999') from cards

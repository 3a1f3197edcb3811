-- trick: from hexadecimal again
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select unhex(hex(pan)) from cards

-- trick: letters between the digits
-- expect: masked
-- unlabelled: out-of-reach
-- decode: digits

select concat_ws('a', substr(pan, 1, 4), substr(pan, 5, 4), substr(pan, 9)) from cards

-- trick: codes of the digits
-- expect: masked
-- unlabelled: out-of-reach
-- decode: codes

select concat_ws(',', ascii(substr(pan, 1, 1)), ascii(substr(pan, 2, 1)), ascii(substr(pan, 3, 1)), ascii(substr(pan, 4, 1)), ascii(substr(pan, 5, 1)), ascii(substr(pan, 6, 1)), ascii(substr(pan, 7, 1)), ascii(substr(pan, 8, 1)), ascii(substr(pan, 9, 1)), ascii(substr(pan, 10, 1)), ascii(substr(pan, 11, 1)), ascii(substr(pan, 12, 1)), ascii(substr(pan, 13, 1)), ascii(substr(pan, 14, 1)), ascii(substr(pan, 15, 1)), ascii(substr(pan, 16, 1))) from cards

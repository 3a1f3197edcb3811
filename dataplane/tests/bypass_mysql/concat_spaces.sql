-- trick: spaces between the digits
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select concat_ws(' ', substr(pan, 1, 4), substr(pan, 5, 4), substr(pan, 9, 4), substr(pan, 13)) from cards where id = 1

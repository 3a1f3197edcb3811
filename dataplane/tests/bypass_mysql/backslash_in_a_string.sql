-- trick: a quote behind a backslash
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select 'a\' , ', substr(pan, 1, 8), substr(pan, 9) from cards where id = 1 -- '

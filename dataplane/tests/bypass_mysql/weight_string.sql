-- trick: the weights that it is sorted by
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex-digits

select hex(weight_string(pan)) from cards

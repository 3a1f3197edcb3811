-- trick: a text chosen by a parameter
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits
-- send: binary
-- parameter: pan

select case $1 when 'pan' then pan else holder end from cards

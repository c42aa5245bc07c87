"""The production validator: is a fleet as well as when its baseline was taken?"""
